import { add } from './math';

export const getUser = (id) => `user ${add(id, 0)}`;
export const name = 'the real api';
export default class Client {
  get() {
    return 'the real client';
  }
}
