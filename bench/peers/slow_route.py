@app.get("/slow")  # noqa: F821
def answer_slowly():
    import time

    time.sleep(0.5)
    return "done"
