# Read by the flask command: which file holds the app, and reload it when it is saved.
FLASK_APP=api/api.py
FLASK_DEBUG=1
