window.order.push('an effect that nobody wanted');

export default 'late';
