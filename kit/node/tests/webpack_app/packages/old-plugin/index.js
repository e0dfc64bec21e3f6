if (typeof jQuery === 'undefined') throw new Error('requires jQuery');
jQuery.plugin = 'plugged in';
