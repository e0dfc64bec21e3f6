"""`python -m react_flask_kit`: serve the app that FLASK_APP names, and the frontend."""

import sys

if __name__ == "__main__":
    try:
        from .server import main

        main()
    except KeyboardInterrupt:
        # Before the server listens to signals itself.
        sys.exit(130)
