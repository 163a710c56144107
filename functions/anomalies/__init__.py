"""Anomalies: what looks unlike a healthy dataset, or unlike the previous run."""
