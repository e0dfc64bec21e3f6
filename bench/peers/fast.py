"""FastAPI, as its documentation serves an API and a folder of files."""

import asyncio
import os
import time

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

app = FastAPI()


async def get_current_time():
    return {"time": time.time()}


def get_current_time_in_a_thread():
    return {"time": time.time()}


is_def = os.environ.get("VIEWS") == "def"
app.get("/time")(get_current_time_in_a_thread if is_def else get_current_time)


@app.get("/slow")
async def answer_slowly():
    await asyncio.sleep(0.5)
    return "done"


app.mount("/", StaticFiles(directory=os.environ["BUILD_PATH"], html=True))
