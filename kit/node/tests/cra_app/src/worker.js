import double from './double';

/* eslint-disable no-restricted-globals */
self.onmessage = ({ data }) =>
  postMessage(`${double(data)} in ${process.env.REACT_APP_TITLE}`);
