"""An app whose users sign in and get a token, by Flask-JWT-Extended."""

import time

from flask import Flask, abort, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    get_jwt_identity,
    jwt_required,
)
from react_flask_kit import Kit, problem
from werkzeug.exceptions import Unauthorized
from werkzeug.security import check_password_hash, generate_password_hash

app = Flask(__name__)
Kit(app, required=["JWT_SECRET_KEY", "USERS"])

# Checked for a name that nobody has, so that the answer takes as long.
NOBODY = generate_password_hash("")
jwt = JWTManager(app)
jwt.unauthorized_loader(lambda why: problem(Unauthorized(why)))
jwt.invalid_token_loader(lambda why: problem(Unauthorized(why)))
jwt.expired_token_loader(lambda *_: problem(Unauthorized("The token has expired.")))


@app.post("/sign-in")
def sign_in():
    match request.get_json():
        case {"name": str(name), "password": str(password)}:
            users = app.config["USERS"]
            is_right = check_password_hash(users.get(name, NOBODY), password)
            if is_right and name in users:
                return {"token": create_access_token(name)}
            abort(401, "Wrong name or password.")
    abort(400, "Send a name and a password.")


@app.get("/me")
@jwt_required()
def get_me():
    return {"name": get_jwt_identity()}


@app.get("/time")
def get_current_time() -> dict[str, float]:
    return {"time": time.time()}
