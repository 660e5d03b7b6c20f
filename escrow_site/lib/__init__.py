"""What every app may use and what knows no app: money, time, transactions, states.

No models live here, and nothing here imports an app.
"""
