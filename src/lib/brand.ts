declare const brand: unique symbol;

/** A type that its base type does not silently become: ids that could be swapped. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
