"""What is left of our production server without Flask, WhiteNoise and headers."""

import json
import time


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"time": time.time()}).encode()]
