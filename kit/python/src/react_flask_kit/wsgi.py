"""The app that FLASK_APP names, for any WSGI server.

    gunicorn react_flask_kit.wsgi

It is the app alone: the files of the frontend are then for another server. Importing
this module reads .env.
"""

from .loading import load_production_app

application = load_production_app()
