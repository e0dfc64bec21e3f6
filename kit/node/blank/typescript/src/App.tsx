import { useEffect, useState } from 'react';
import { getJson } from './api';

/** Show what the API answers, or why there is no answer. */
export default function App() {
  const [greeting, setGreeting] = useState({ text: '' });
  const [error, setError] = useState('');

  useEffect(() => {
    const request = new AbortController();
    getJson('/greeting', request).then(
      setGreeting,
      (error) => request.signal.aborted || setError(error.message),
    );
    return () => request.abort();
  }, []);

  return (
    <main className="App">
      <h1>React + Flask</h1>
      <p role="status">{greeting.text}</p>
      {error && <p role="alert">{error}</p>}
    </main>
  );
}
