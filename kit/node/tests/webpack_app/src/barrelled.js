export const barrelled = 'barrelled';
