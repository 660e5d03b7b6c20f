import pytest
def test_print(client_person, freelancer):
    from tests.billing.test_forecast import SITUATIONS, job
    from billing.selectors import foretold
    from billing.forecast import forecast
    for name,(row, rows, at, _) in SITUATIONS.items():
        for role in ("client","freelancer",None):
            print("=====", name, role)
            for m in foretold.moments(row, forecast(row, rows, at=at), role=role):
                print(m.at, m.key, "|", m.title, "|", m.text, "|", m.lines, "|", m.then, "|", m.tone)
                for s in m.stops: print("     -", s)
                for r in m.reminders: print("     .", r.at, r.text)
    assert 0
