/** Error numbers of Linux that the tool uses as exit status. */
export const EIO = 5;
export const EINVAL = 22;
export const ERANGE = 34;
export const EMSGSIZE = 90;
export const ETIMEDOUT = 110;
