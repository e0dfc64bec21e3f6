export const add = (a, b) => a + b;
export const addOne = (a) => add(a, 1);
let count = 0;
export const next = () => ++count;
export default 'math';
