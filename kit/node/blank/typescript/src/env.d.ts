/** What the build knows of the environment: NODE_ENV, PUBLIC_URL and REACT_APP_*. */
declare const process: { env: Record<string, string | undefined> };
