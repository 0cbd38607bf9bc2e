export type Language = 'python' | 'java' | 'go';

/** One of the vendor's clients, unmodified, and the program of ours that lives a task's life with it. */
export interface VendorClient {
  /** For `--only`. */
  readonly name: string;
  readonly language: Language;
  /** What the language's package client fetches, each at exactly this version; the first is the client itself. */
  readonly packages: readonly (readonly [name: string, version: string])[];
  readonly signature: 'V1' | 'V3';
  /** How its user calls an operation. */
  readonly manner: string;
  /** In the language's folder: the module, class or argument that runs it. */
  readonly program: string;
}

/** Every client that `npm run test:clients` runs, and the one place that has their versions. */
export const CLIENTS: readonly VendorClient[] = [
  {
    name: 'python-v3',
    language: 'python',
    packages: [
      ['alibabacloud-dataworks-public20200518', '10.1.1'],
      ['alibabacloud-tea-openapi', '0.4.6'],
    ],
    signature: 'V3',
    manner: 'typed requests and answers',
    program: 'v3.py',
  },
  {
    name: 'python-v1',
    language: 'python',
    packages: [
      ['aliyun-python-sdk-dataworks-public', '6.1.12'],
      ['aliyun-python-sdk-core', '2.16.1'],
    ],
    signature: 'V1',
    manner: 'typed requests, answers as JSON',
    program: 'v1.py',
  },
  {
    name: 'java-v3',
    language: 'java',
    packages: [['com.aliyun:dataworks_public20200518', '4.3.1']],
    signature: 'V3',
    manner: 'typed requests and answers',
    program: 'V3',
  },
  {
    name: 'java-v1',
    language: 'java',
    packages: [
      ['com.aliyun:aliyun-java-sdk-dataworks-public', '3.4.23'],
      ['com.aliyun:aliyun-java-sdk-core', '4.7.10'],
    ],
    signature: 'V1',
    manner: 'typed requests and answers',
    program: 'V1',
  },
  {
    name: 'go-v1',
    language: 'go',
    packages: [['github.com/aliyun/alibaba-cloud-sdk-go', 'v1.63.107']],
    signature: 'V1',
    manner: 'typed requests and answers',
    program: 'v1',
  },
  {
    name: 'go-v3',
    language: 'go',
    packages: [['github.com/alibabacloud-go/darabonba-openapi/v2', 'v2.1.13']],
    signature: 'V3',
    manner: 'any operation by its name',
    program: 'v3',
  },
  {
    name: 'go-core',
    language: 'go',
    packages: [['github.com/aliyun/alibaba-cloud-sdk-go', 'v1.63.107']],
    signature: 'V1',
    manner: 'the core under the `aliyun` command line: any operation by its name, everything in the query',
    program: 'core',
  },
];
