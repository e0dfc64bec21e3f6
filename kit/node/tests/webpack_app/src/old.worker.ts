import { double } from './workers-code';

self.onmessage = ({ data }) => self.postMessage(double(data));

export default {} as { new (): Worker };
