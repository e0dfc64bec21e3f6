import { useEffect, useState } from 'react';
import { getJson } from './api';

/** Show what the API answers, or why there is no answer. */
export default function App() {
  const [hello, setHello] = useState();
  const [error, setError] = useState();

  useEffect(() => {
    const request = new AbortController();
    getJson('/hello', request).then(
      setHello,
      (error) => request.signal.aborted || setError(error),
    );
    return () => request.abort();
  }, []);

  return (
    <main className="App">
      <h1>React + Flask</h1>
      <p role="status">{hello?.greeting}</p>
      {error && <p role="alert">{error.message}</p>}
    </main>
  );
}
