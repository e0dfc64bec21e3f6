export { named as part } from './commonjs';
