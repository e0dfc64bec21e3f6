export * from './commonjs';

export const own = 1;
