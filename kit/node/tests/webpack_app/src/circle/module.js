import { late } from './commonjs';

export function seenBy() {
  return late;
}
