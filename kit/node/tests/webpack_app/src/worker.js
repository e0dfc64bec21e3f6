import code from './workers-code';

self.onmessage = async ({ data }) => {
  const { default: name } = await import(`./parts/${'Two'}`);
  self.postMessage([code.double(data), self.name, name.name]);
};
