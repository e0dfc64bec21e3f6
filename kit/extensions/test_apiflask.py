"""APIFlask: a class of app with errors, validation and an OpenAPI document of its own.

The contract: all three are as APIFlask has them; the kit adds its request id.
"""

from apiflask import APIFlask, Schema, abort
from apiflask.fields import Integer, String
from apiflask.validators import Range
from react_flask_kit import Kit

from servers import Server


class Book(Schema):
    title = String(required=True)
    pages = Integer(required=True, validate=Range(min=1))


def create_app() -> APIFlask:
    app = APIFlask(__name__, title="Books", version="7.0")
    Kit(app)

    @app.post("/books")
    @app.input(Book)
    @app.output(Book, status_code=201)
    def write(json_data: dict) -> dict:
        return json_data

    @app.get("/sold")
    def sold() -> None:
        abort(410, message="Sold.", extra_data={"since": "May"})

    return app


def test_errors_and_validation_keep_the_shape_of_apiflask(server: Server) -> None:
    assert server.post("/books", {"title": "Emma", "pages": 474}).status == 201
    refused = server.post("/books", {"title": "Emma", "pages": 0})
    assert refused.status == 422
    assert refused.json["message"] == "Validation error"
    assert list(refused.json["detail"]["json"]) == ["pages"]
    sold = server.get("/sold")
    assert sold.status == 410
    assert sold.json == {"message": "Sold.", "since": "May", "detail": {}}
    for answer, status in [(server.get("/typo"), 404), (server.get("/books"), 405)]:
        assert answer.status == status
        assert answer.json.keys() == {"detail", "message"}
        assert answer.headers.get_content_type() == "application/json"
        assert len(answer.headers.get_all("X-Request-ID")) == 1
    assert "POST" in server.get("/books").headers["Allow"]


def test_the_openapi_document_is_that_of_apiflask(server: Server) -> None:
    document = server.get("/openapi.json").json
    assert document["info"] == {"title": "Books", "version": "7.0"}
    assert "/books" in document["paths"]
    assert set(document["components"]["schemas"]["Book"]["properties"]) == {
        "title",
        "pages",
    }
    docs = server.get("/docs", Accept="text/html", Sec_Fetch_Dest="document")
    assert docs.headers.get_content_type() == "text/html"
    assert "swagger" in docs.text.lower()
