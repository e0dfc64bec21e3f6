export * from './again';
export * from './commonjs';
