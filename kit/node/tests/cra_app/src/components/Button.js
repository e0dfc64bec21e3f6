import { useState } from 'react';
import styles from './Button.module.css';

export default function Button({ onPress }) {
  const [count, setCount] = useState(0);
  const press = () => {
    setCount(count + 1);
    onPress?.(count + 1);
  };
  return (
    <button type="button" className={styles.button} onClick={press}>
      pressed {count}
    </button>
  );
}
