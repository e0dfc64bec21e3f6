import '@testing-library/jest-dom';

globalThis.isSetUp = true;
