"""People, Jobs, Policy, Activity and notices: what the money and the workroom stand on."""
