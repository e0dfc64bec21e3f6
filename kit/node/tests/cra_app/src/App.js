import cjsDefault, { named } from 'cjs-package';
import Button from 'components/Button';
import Typed from 'components/Typed';
import { fromMjs } from 'mjs-package';
import { lazy, Suspense, useEffect, useState } from 'react';
import big from './big.png';
import data from './data.json';
import logo, { ReactComponent as Logo } from './logo.svg';
import small from './small.png';
import startWorker from './startWorker';
import table from './table.csv';
import './styles/theme.scss';

const Lazy = lazy(
  () =>
    import(
      /* webpackChunkName: "named-part", webpackPrefetch: true */ './lazy/Lazy'
    ),
);
const { REACT_APP_TITLE, SECRET_TOKEN } = process.env;

export default function App() {
  const [worker, setWorker] = useState();

  useEffect(() => {
    const started = startWorker();
    started.onmessage = (message) => setWorker(message.data);
    started.postMessage(21);
    return () => started.terminate();
  }, []);

  const values = {
    title: REACT_APP_TITLE,
    greeting: process.env.REACT_APP_GREETING,
    price: process.env.REACT_APP_PRICE,
    color: process.env.REACT_APP_COLOR,
    local: process.env.REACT_APP_LOCAL,
    secret: String(SECRET_TOKEN ?? process.env.SECRET_TOKEN),
    unknown: String(process.env.REACT_APP_UNKNOWN),
    environment: process.env.NODE_ENV,
    'public-url': process.env.PUBLIC_URL,
    cjs: `${cjsDefault()}, ${named()}`,
    mjs: fromMjs(),
    global: typeof global,
    json: data.answer,
    worker,
  };
  return (
    <main>
      <h1>A fixture</h1>
      {Object.entries(values).map(([id, value]) => (
        <p id={id} key={id}>
          {value}
        </p>
      ))}
      <Button />
      <Typed name="this" />
      <p className="from-css">css</p>
      <p className="from-package">css of a package</p>
      <p className="from-sass">
        <span>sass</span>
      </p>
      <img id="small" src={small} alt="" />
      <img id="big" src={big} alt="" />
      <img id="svg" src={logo} alt="" />
      <Logo id="component" title="Logo" />
      <a id="file" href={table}>
        table
      </a>
      <Suspense fallback="loading">
        <Lazy />
      </Suspense>
      <button
        type="button"
        onClick={() => {
          throw new Error('thrown by a click');
        }}
      >
        throw
      </button>
    </main>
  );
}
