"""The time machine: random people and a random clock on one Job (``tests.billing.test_time_machine``).

``oracle`` says from the rules alone what may be done and what follows; ``base`` is the Job and the
clock; what people do is here by subject; ``looking`` holds the product against the oracle.
"""
