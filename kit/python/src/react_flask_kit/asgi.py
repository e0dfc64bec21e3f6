"""The site of production, for any ASGI server.

    uvicorn react_flask_kit.asgi:application

`python -m react_flask_kit` serves the same. Importing this module reads .env and loads
the app that FLASK_APP names.
"""

from .loading import load_production_app
from .site import make_site

application = make_site(load_production_app())
