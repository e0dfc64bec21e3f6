import { createRoot } from 'react-dom/client';
import './deep/page.scss';
import './indented.sass';
import col from './2col.module.css';
import button from './Button/index.module.css';
import card from './Card.styles.module.css';
import my from './My Card.module.css';
import odd from './näme@+[x].module.css';
import nothing from './plain.css';
import variables from './variables.scss';

const classes = {
  button: button.button,
  card: card.card,
  col: col.col,
  my: my.my,
  odd: odd['a:b'],
  composed: card.composed,
  plain: 'plain',
  sass: 'from-sass',
  indented: 'indented',
};

createRoot(document.getElementById('root')).render(
  <>
    {Object.entries(classes).map(([id, name]) => (
      <p key={id} id={id} className={name}>
        {name}
      </p>
    ))}
    <i id="variables">{JSON.stringify({ ...variables, ...nothing })}</i>
  </>,
);
