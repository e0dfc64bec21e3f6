"""`python -m react_flask_kit`: serve the app that FLASK_APP names, and the frontend."""

import signal

if __name__ == "__main__":
    # Until the server listens to signals itself, Ctrl-C ends this without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    from .server import main

    main()
