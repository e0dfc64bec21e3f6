"""FastAPI, as its documentation serves an API and a folder of files."""

import asyncio
import os
import time

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

app = FastAPI()


@app.get("/time")
async def get_current_time():
    return {"time": time.time()}


@app.get("/slow")
async def answer_slowly():
    await asyncio.sleep(0.5)
    return "done"


app.mount("/", StaticFiles(directory=os.environ["BUILD_PATH"], html=True))
