let isFollowed = false;

/**
 * Tell the launcher that runs Vite which files change, and end with it.
 *
 * Vite's watcher is the only one under `npm run dev`: the launcher starts the API again for a
 * file of its own, and Vite for other packages.
 *
 * @returns {import('vite').Plugin}
 */
export default function launcher() {
  return {
    name: 'launcher',
    apply: 'serve',
    configureServer({ httpServer, watcher }) {
      if (!process.send || !httpServer) return;
      // It may have ended while this one started.
      if (!process.connected) process.exit();
      if (!isFollowed) process.once('disconnect', () => process.exit());
      isFollowed = true;
      const tell = (message) => process.connected && process.send(message);
      watcher.on('all', (event, file) => {
        if (!event.endsWith('Dir')) tell({ changed: file });
      });
      // Whichever comes last: until then nobody has watched.
      watcher.once('ready', () => tell({ watching: true }));
      httpServer.on('listening', () =>
        tell({ listening: true, watching: true }),
      );
    },
  };
}
