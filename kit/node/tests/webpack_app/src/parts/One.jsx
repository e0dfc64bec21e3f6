export default 'One';
