import values from './values';

values().then((found) => {
  const shown = document.createElement('pre');
  shown.id = 'values';
  shown.textContent = JSON.stringify(found);
  document.body.append(shown);
});
