"""What stands between a network and the dashboard: settings, the guard, accounts, logs and counts.

::

    held = settings.read(os.environ)           # SWITCHYARD_… from the environment and from files
    App(script, **entry.guarded(…))            # Streamlit's own server behind the guard
    accounts.admitted(claims, held)            # a signed-in person as the store knows them

It knows nothing of pages; pages ask it who is there and how much they may do.
"""
