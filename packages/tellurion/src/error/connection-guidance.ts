// What helps who was never answered: apart from the other guidance, for every agent carries these two.

export const networkGuidance = 'Check the base URL and the network; retrying may help.'
export const timeoutGuidance = 'Raise the timeout or try again.'
