import { Component, type PropsWithChildren } from 'react';

/** Show a message, and a way out, in place of what crashed while it was drawn. */
export default class ErrorBoundary extends Component<PropsWithChildren> {
  state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  render() {
    if (!this.state.error) return this.props.children;
    return (
      <main className="App" role="alert">
        <h1>Something went wrong</h1>
        <p className="error">{this.state.error.message}</p>
        <button type="button" onClick={() => window.location.reload()}>
          Reload the page
        </button>
      </main>
    );
  }
}
