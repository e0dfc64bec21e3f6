/** As react-scripts: fetch() by XMLHttpRequest, which mocks of its time replace. */
import { fetch, Headers, Request, Response } from 'whatwg-fetch';

Object.assign(globalThis, { fetch, Headers, Request, Response });
