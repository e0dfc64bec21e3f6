window.nothing = 'is exported';
