module.exports = (app) => {
  app.use('/set-up', (_req, res) => {
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify({ by: process.env.PROXIED_BY }));
  });
};
