import { useEffect, useState } from 'react';
import { getJson } from './api';
import './App.css';
import logo from './logo.svg';

/** @type {{ loading?: boolean, time?: number, error?: Error }} */
const ASKING = { loading: true };

/** Show the time that api/api.py answers, or why it cannot be shown. */
export default function App() {
  const [{ loading, time, error }, setState] = useState(ASKING);

  useEffect(() => {
    if (!loading) return;
    const request = new AbortController();
    // An aborted request may still answer: what it says is out of date.
    const show = (state) => request.signal.aborted || setState(state);
    getTime(request.signal).then(
      (time) => show({ time }),
      (error) => show({ error }),
    );
    return () => request.abort();
  }, [loading]);

  const ask = () => setState(ASKING);

  // Both live regions stay, to be announced; the button stays, to keep focus.
  return (
    <main className="App">
      <img className="logo" src={logo} alt="" width="80" height="80" />
      <h1>React + Flask</h1>
      <div className="answer">
        <div role="status">
          {loading && <p className="loading">Asking for the time…</p>}
          {time !== undefined && <Time time={time} />}
        </div>
        <div role="alert">
          {error && <p>The current time is unknown.</p>}
          {error && <p className="error">{error.message}</p>}
        </div>
      </div>
      <button type="button" aria-disabled={loading} onClick={ask}>
        {error ? 'Try again' : 'Ask again'}
      </button>
      <p className="hint">
        Edit <code>src/App.js</code> or <code>api/api.py</code> and save.
      </p>
    </main>
  );
}

function Time({ time }) {
  const date = new Date(time * 1000);
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return (
    <>
      The current time is <samp>{time}</samp>.
      <time dateTime={date.toISOString()}>
        <span className="clock">{date.toLocaleTimeString()}</span>
        {date.toLocaleDateString(undefined, { dateStyle: 'full' })} ({timeZone})
      </time>
    </>
  );
}

async function getTime(signal) {
  const body = await getJson('/time', { signal });
  if (!Number.isFinite(body?.time)) {
    throw new Error('Expected a number "time" in the JSON from /time');
  }
  return body.time;
}
