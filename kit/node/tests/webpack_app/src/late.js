window.order.push('late');
module.exports = { name: 'required' };
