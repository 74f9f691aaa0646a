"""Who runs these steps? upgrade/steps/apply.py, in a transaction it is given; not Alembic's own command."""

raise SystemExit("Use `python -m app.cli upgrade run`: it backs up, verifies and commits as a whole.")
