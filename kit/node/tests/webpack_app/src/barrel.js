export * from './barrelled';
export * as namespace from './commonjs';
