export default 'default';
let state = 'old';
export const live = () => {
  state = 'live';
  return state;
};
