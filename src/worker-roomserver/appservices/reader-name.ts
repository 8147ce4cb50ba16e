/** Under which name the offset of what a service is sent stands in `readers`. */
export const readerName = (service: string) => `appservice ${service}`;
