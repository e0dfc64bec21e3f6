"""`python -m react_flask_kit`: serve the app that FLASK_APP names, and the frontend."""

from .server import main

if __name__ == "__main__":
    main()
