window.order.push('an effect that nobody wanted');
