export default 'web';
