import { width } from './generated';

export const size = () => width * 2;
